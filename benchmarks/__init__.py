"""davhost measured side by side with other WebDAV servers, in one interleaved run.

`python -m benchmarks` runs it; README.md here says how to read what it prints.
It is for Linux: processor time and memory are read from /proc.
"""
