"""Payment systems as the terminal sees them: one file each."""
