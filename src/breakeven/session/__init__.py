"""THE DECISION STEP: observe a checkpoint, draw what the policy wants, decide, record.

Here the rooms are wired together: bank from `sampling`, curves from `ttc`, decision from `stopping`, price from `cost`,
log in `store`. Needs no training and no torch, so that any loop, a replay and somebody's log go through it alike.
"""
