"""davhost against clients that mean harm: nonsense, floods, guesses; and its promises."""
