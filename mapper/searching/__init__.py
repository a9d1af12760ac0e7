"""Techniques that search for mappings by trying some, compared like for like; the proof stands outside as their referee.

A technique proposes mappings and is told what they cost (:mod:`mapper.searching.protocol`). One driver owns the rest: budget,
validity, counting, caching, seeds and time (:mod:`mapper.searching.driver`).
"""
