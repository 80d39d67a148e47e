"""The tests of davhost, by kind: what each folder proves is in CONTRIBUTING.md."""
