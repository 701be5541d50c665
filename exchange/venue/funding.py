from exchange.domain.events import TimeAdvanced


def schedule(state):
    pass


def advance(state, events):
    events.append(TimeAdvanced(time_ns=state.now_ns))


def next_due_ns(state):
    return None
