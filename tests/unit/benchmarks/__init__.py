"""The harness that measures davhost beside other servers."""
