"""Cards: applets, personalisation from TOML profiles, and cards that misbehave."""
