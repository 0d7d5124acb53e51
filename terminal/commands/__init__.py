"""What the command `tillside` does, one file a command. Each is imported when it is asked for."""
