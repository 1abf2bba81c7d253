"""The synthetic world's services: how much they are talked about, where, when, and what people call them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is said about one service on an ordinary day.

    Attributes:
        id: The catalogue's id.
        posts_per_minute: Posts on X that name it, world-wide, mean over a week.
        complaint_share: Share of those that are first-hand complaints on an ordinary day.
        season: Shape of the day: evening, daytime or school.
        symptoms: Weights of the troubles that people have with it on an ordinary day.
        names: Spellings, the commonest first (each half as common as the one before).
        local_names: Further spellings by language.
        countries: Popularity by country relative to the country's weight; 1 where absent.
        elsewhere: Popularity in the countries that `countries` does not name.
        subreddits: Its subreddits with items an hour.

    """

    id: str
    posts_per_minute: float
    complaint_share: float
    season: str
    symptoms: Mapping[str, float]
    names: tuple[str, ...]
    local_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    countries: Mapping[str, float] = field(default_factory=dict)
    elsewhere: float = 1.0
    subreddits: Mapping[str, float] = field(default_factory=dict)


SERVICES: Final = (
    Traffic(
        "tiktok",
        20.0,
        0.035,
        "evening",
        {"login": 2, "playback": 3, "crash": 1, "error": 1, "upload": 3, "messaging": 1, "connection": 1, "other": 2},
        ("tiktok", "TikTok", "tik tok", "Tiktok", "TIKTOK", "tiktock", "tik tock"),
        {"ja": ("TikTok", "ティックトック"), "ko": ("틱톡",), "hi": ("टिकटॉक",), "pt": ("tiktok", "tik tok", "ttk")},
        {"IN": 0.04, "ID": 1.5, "BR": 1.3},
        subreddits={"TikTok": 22, "Tiktokhelp": 8},
    ),
    Traffic(
        "instagram",
        16.0,
        0.035,
        "evening",
        {"login": 3, "playback": 1, "crash": 1, "error": 1, "upload": 3, "messaging": 2, "slow": 1, "other": 2},
        ("instagram", "insta", "Instagram", "ig", "IG", "INSTAGRAM", "instagarm"),
        {"ja": ("インスタ",), "ko": ("인스타", "인스타그램"), "hi": ("इंस्टाग्राम",), "id": ("ig", "instagram")},
        {"BR": 1.5, "IN": 1.4},
        subreddits={"Instagram": 18, "InstagramHelp": 6},
    ),
    Traffic(
        "whatsapp",
        12.0,
        0.03,
        "daytime",
        {"login": 1, "messaging": 5, "connection": 2, "crash": 1, "upload": 1, "other": 2},
        ("whatsapp", "WhatsApp", "Whatsapp", "whats app", "WHATSAPP", "watsapp"),
        {
            "pt": ("zap", "whats", "wpp", "WhatsApp"),
            "es": ("wasap", "whatsapp"),
            "id": ("wa", "WA"),
            "hi": ("व्हाट्सएप",),
        },
        {"US": 0.2, "CA": 0.3, "JP": 0.05, "KR": 0.05, "BR": 2.2, "IN": 2.5, "ID": 2.0, "NG": 2.0, "ZA": 2.0},
        subreddits={"whatsapp": 9},
    ),
    Traffic(
        "youtube",
        18.0,
        0.03,
        "evening",
        {"playback": 5, "login": 1, "crash": 1, "error": 2, "upload": 2, "slow": 2, "other": 1},
        ("youtube", "YouTube", "yt", "Youtube", "YT", "YOUTUBE", "you tube"),
        {"ja": ("YouTube", "ようつべ"), "ko": ("유튜브",), "hi": ("यूट्यूब",)},
        {"JP": 1.6, "KR": 1.5, "IN": 1.3},
        subreddits={"youtube": 20, "youtubehelp": 4},
    ),
    Traffic(
        "netflix",
        10.0,
        0.035,
        "evening",
        {"playback": 4, "login": 2, "error": 3, "payment": 1, "crash": 1, "other": 1},
        ("netflix", "Netflix", "NETFLIX", "netlfix", "nflx app"),
        {"ja": ("ネトフリ", "Netflix"), "ko": ("넷플릭스",)},
        {"NG": 0.5, "IN": 0.7, "KR": 1.3},
        subreddits={"netflix": 16, "Netflixhelp": 2},
    ),
    Traffic(
        "spotify",
        9.0,
        0.04,
        "daytime",
        {"playback": 4, "login": 2, "crash": 2, "error": 1, "connection": 2, "other": 1},
        ("spotify", "Spotify", "SPOTIFY", "spotfy", "spoti"),
        {"ko": ("스포티파이",)},
        {"JP": 0.4, "KR": 0.3, "MX": 1.5, "ID": 1.3},
        subreddits={"spotify": 10, "truespotify": 6},
    ),
    Traffic(
        "discord",
        8.0,
        0.04,
        "school",
        {"messaging": 3, "connection": 4, "login": 2, "crash": 1, "upload": 1, "error": 1, "other": 2},
        ("discord", "Discord", "DISCORD", "disc", "discrod"),
        {"ja": ("ディスコ", "Discord"), "ko": ("디코", "디스코드")},
        {"NG": 0.4, "ZA": 0.5, "IN": 0.6},
        subreddits={"discordapp": 20, "discord": 6},
    ),
    Traffic(
        "roblox",
        9.0,
        0.045,
        "school",
        {"login": 3, "crash": 2, "connection": 3, "error": 3, "slow": 1, "other": 2},
        ("roblox", "Roblox", "ROBLOX", "rblx", "robox"),
        {"pt": ("roblox", "Roblox"), "ko": ("로블록스",)},
        {"JP": 0.4, "NG": 0.3, "IN": 0.3, "BR": 1.4},
        subreddits={"roblox": 24, "RobloxHelp": 6},
    ),
    Traffic(
        "paypal",
        5.0,
        0.05,
        "daytime",
        {"payment": 5, "login": 3, "error": 2, "slow": 1, "other": 1},
        ("paypal", "PayPal", "Paypal", "pay pal", "PAYPAL", "paypall"),
        {},
        {"IN": 0.3, "ID": 0.2, "NG": 0.4, "JP": 0.4, "KR": 0.2, "DE": 2.0},
        subreddits={"paypal": 9},
    ),
    Traffic(
        "vodafone",
        4.0,
        0.05,
        "daytime",
        {"connection": 7, "slow": 3, "messaging": 1, "login": 1, "payment": 1, "other": 1},
        ("vodafone", "Vodafone", "VODAFONE", "voda", "vodaphone"),
        {"de": ("Vodafone", "Vodafon")},
        {"GB": 5.0, "DE": 6.0, "AU": 6.0, "ZA": 2.5, "ES": 4.0, "IE": 5.0, "IN": 0.6},
        elsewhere=0.01,
        subreddits={"vodafone": 5, "vodafonede": 3},
    ),
)
"""The services, in a fixed order: a post holds the position."""

BY_ID: Final = {service.id: service for service in SERVICES}

REGION_SUBREDDITS: Final = {
    "AskUK": ("GB", 8.0, "en"),
    "unitedkingdom": ("GB", 8.0, "en"),
    "london": ("GB", 4.0, "en"),
    "nyc": ("US", 5.0, "en"),
    "texas": ("US", 4.0, "en"),
    "germany": ("DE", 5.0, "en"),
    "de": ("DE", 7.0, "de"),
    "france": ("FR", 6.0, "fr"),
    "brasil": ("BR", 8.0, "pt"),
    "mexico": ("MX", 6.0, "es"),
    "india": ("IN", 9.0, "en"),
    "indonesia": ("ID", 5.0, "id"),
    "australia": ("AU", 8.0, "en"),
    "canada": ("CA", 8.0, "en"),
    "Nigeria": ("NG", 4.0, "en"),
    "southafrica": ("ZA", 4.0, "en"),
    "korea": ("KR", 3.0, "en"),
    "japan": ("JP", 4.0, "en"),
}
"""Subreddits of a place: country, items an hour and the language that people write there."""

GENERAL_SUBREDDITS: Final = {"techsupport": 10.0, "technology": 8.0}
"""Subreddits in which any service may come up: items an hour."""

PRIVATE_SUBREDDITS: Final = ("tiktokmods", "robloxstaff")
"""Exist, and answer 403."""
