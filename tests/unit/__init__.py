"""Modules alone."""
