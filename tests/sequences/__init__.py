"""What real programs send when they save a document, and what must be true afterwards."""
