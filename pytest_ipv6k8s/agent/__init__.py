"""The program that runs in a pod: standard library only, Python 3.9; zipped as it stands."""
