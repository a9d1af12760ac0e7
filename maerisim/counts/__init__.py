"""What a run moves and does, whatever the timing, and what that costs.

``counters.py`` says what is counted, ``events.py`` is the one table of events and their prices.
``program_totals.py`` counts a whole program without running it, from how often each template is taken
(``visits.py``), ``multicasts.py`` the words that go to several switches at once, ``tile_kinds.py`` what each kind
of tile does; for that ``coinciding_steps.py`` finds which steps of two threads fall together.
"""
