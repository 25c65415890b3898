"""Importing this loads the decoder with the English model that pocketsphinx carries.

Only decoder processes import it. It takes half a second and 100 MB, most of which the processes
share where they are forked from one that has already imported it.
"""

from pocketsphinx import Decoder

DECODER = Decoder(
    loglevel="FATAL",
    # The second pass costs 50-800 ms at each pause for two words in a hundred.
    fwdflat=False,
    # Bounds on the work of a frame, so that noise does not take longer than it lasts.
    maxhmmpf=3000,
    topn=2,
    # The language model is of another kind of text than talk.
    lw=5.5,
)
