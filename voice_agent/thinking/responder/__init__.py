"""The embedded responder: understands a turn, plans an answer and puts it into words."""
