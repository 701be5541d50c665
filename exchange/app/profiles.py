"""``ringfence profiles``: the rules of other venues that the exchange can be run with."""

from __future__ import annotations

from exchange.app.exit_codes import EXIT_DONE
from exchange.composition.profiles import Profile, load_profile, profile_names


def run_profiles() -> int:
    """Print every profile with its choices, what it reproduces, what not and its sources; return the exit code."""
    print("\n\n".join(format_profile(load_profile(name)) for name in profile_names()))
    return EXIT_DONE


def format_profile(profile: Profile) -> str:
    """Return a profile as lines of text."""
    choices = [f"{key} = {value}" for key, value in profile.switches.items()]
    sections = {
        "chooses": choices or ["nothing: the config's own rules stay"],
        "reproduces": profile.reproduces,
        "does not": profile.differs,
        "sources": profile.sources,
    }
    lines = [f"{profile.name}: {profile.title}"]
    for name, entries in sections.items():
        lines.append(f"  {name}")
        lines += [f"    - {entry}" for entry in entries]
    return "\n".join(lines)
