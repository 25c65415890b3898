"""Importing this loads the decoder with the English model that pocketsphinx carries.

Only decoder processes import it. It takes half a second and 100 MB, most of which the processes
share where they are forked from one that has already imported it.
"""

from pocketsphinx import Decoder

DECODER = Decoder(
    loglevel="FATAL",
    # The second pass costs 50-800 ms at each pause, and hardly fewer words are wrong with it.
    fwdflat=False,
    # Bounds on one frame of work, so that noise does not take longer than it lasts.
    maxhmmpf=3000,
    maxwpf=10,
)
