from exchange.domain.events import MarkPriceChanged


def set_marks(state, events, c):
    state.accounts.apply_mark_prices(c.marks)
    events.extend(MarkPriceChanged(symbol=m.symbol, mark_price=m.price, time_ns=state.now_ns) for m in c.marks)


def note_trades(s, e):
    pass
