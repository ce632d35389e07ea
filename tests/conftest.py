"""Settings every test shares. They must be in place before numpy or torch is first imported."""

import os

from hypothesis import settings

# Read once, when the native library is loaded. One thread: the models are tiny, and on a busy machine two are slower.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

# Rich takes these from the surroundings; tests compare what is printed.
os.environ.update(COLUMNS="120", TERM="dumb")
for variable in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(variable, None)

# A slow machine is no failure. All else, such as fixed examples where CI is set, stays as hypothesis has it.
settings.register_profile("breakeven", deadline=None)
settings.load_profile("breakeven")
