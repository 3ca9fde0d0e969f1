#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| local_cloud::fuzzing::websocket_input(input));
