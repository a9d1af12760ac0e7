"""How results read, as tables, JSON and plots; nothing here searches for a mapping.

``findings.py`` is what a command found out about a network, ``table.py`` the one builder of tables. For the layers
of a network, ``profile``, ``comparison``, ``front`` and ``roofline`` there are tables and JSON;
``configuration_json.py`` is a mapped layer for other controllers. ``figures.py`` is how all plots look.
"""
