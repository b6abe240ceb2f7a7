#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| boss_ingest_fuzz::boss(bytes));
