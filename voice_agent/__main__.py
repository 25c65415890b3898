"""``python -m voice_agent``: the command line where its script is not on the path."""

from voice_agent.cli import main

if __name__ == "__main__":
    main()
