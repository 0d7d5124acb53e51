"""The store's schema: one numbered SQL file a version, applied in order, never changed once released."""
