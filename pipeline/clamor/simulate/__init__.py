"""A synthetic world with true outages, and emulators of the X and Reddit APIs that serve it.

:class:`clamor.simulate.world.World` draws ten services in twenty countries: talk with local seasons and chatter, a
daily grumble, news and jokes, and on every evaluated day an outage of TikTok over several regions, one of another
service in one country, a failing internet provider, and a viral video, a price fuss, memes and articles that only look
like outages. Sizes and times differ from seed to seed, from clear to hard. Texts are some 1,200 templates, written
without sight of the phrases that clamor's reader looks for, with slips and spellings.

:func:`clamor.simulate.server.serve` answers as the vendors do, limits, errors and tokens included, on a clock that is
given; :class:`clamor.simulate.faults.Faults` says what goes wrong. What differs from the real services on purpose is
said where it is: a fifth of the posts is geotagged rather than a fiftieth, and all volumes are small.
"""
