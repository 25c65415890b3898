"""The embedded responder: understands a turn, plans an answer and words it, with no model file
but a small lexicon of emotion words.
"""
