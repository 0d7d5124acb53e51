"""Simulated devices as programs, ``tillside sim NAME``; one file each."""
