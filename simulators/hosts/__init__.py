"""Simulated hosts: the payment host, wallets, and the TLS server they run on."""
