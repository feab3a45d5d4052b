"""Owners and stages of customers: assignment, rules, round robin, claims, offboarding."""
