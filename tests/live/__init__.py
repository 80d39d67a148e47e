"""A real server, real clients, real kills: everything here runs from outside."""
