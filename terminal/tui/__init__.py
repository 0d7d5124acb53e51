"""The screens: they draw a state and post typed messages, and decide nothing."""
