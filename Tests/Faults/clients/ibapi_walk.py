"""The broker's old client (9.81, protocol 157) walks through `rig gateway`."""

from official_steps import walk

if __name__ == "__main__":
    walk("ibapi", 157)
