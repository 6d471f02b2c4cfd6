"""One report format a module, found by the suffixes that it names."""
