"""Worlds shaped like platforms: facts with a public source. None is a run on the real platform."""
