"""The training core: one checked configuration in, one raw result out; no files, no globals, no SQL."""
