//! `boss-ingest`: moves microscopy volumes into the Boss.

fn main() {}
