"""The broker's new client, as NautilusTrader ships it (10.46, protocol up to 225), walks through `rig gateway`, which ends at 178."""

from official_steps import walk

if __name__ == "__main__":
    walk("nautilus_ibapi", 178)
