"""Promises that hold for every implementation."""
