"""What davhost promises for security, and the tests that keep each promise."""

#: The sentence, and where it is provoked: ``file::test``, seen from tests/.
PROMISES: dict[str, tuple[str, tuple[str, ...]]] = {
    "S1": (
        "No spelling of a path, and nothing planted on the disk, leads out of a home.",
        (
            "live/test_spellings.py::test_no_spelling_of_a_path_leaves_the_home",
            "live/test_spellings.py::test_no_destination_leaves_the_home",
            "defects/test_names.py::test_a_pipe_in_the_data_folder_holds_nobody",
            "defects/test_signing_in.py::test_errors_show_nothing_of_the_inside",
            "contract/test_projection_disk.py::test_nothing_planted_is_followed",
            "contract/test_blobs.py::test_a_hostile_key_is_missing",
        ),
    ),
    "S2": (
        "Nobody reads, writes, locks or detects what is another user's.",
        (
            "hostile/test_hiding.py"
            "::test_what_is_somebody_elses_is_answered_like_what_is_not_there",
            "contract/test_tree.py::test_two_homes_never_meet",
            "live/test_two_users.py::test_two_users_hammer_the_same_paths",
            "live/test_two_users.py::test_locks_never_meet",
            "live/test_two_users.py::test_quotas_never_meet",
        ),
    ),
    "S3": (
        "The allow-list holds wherever a name is born.",
        (
            "contract/test_tree.py::test_every_forbidden_member_stops_a_copy",
            "contract/test_locks.py::test_a_refused_lock_leaves_no_empty_file",
            "dav/test_uploads.py::test_a_forbidden_type_says_what_is_allowed",
            "dav/test_moving.py::test_a_forbidden_type_does_not_come_in_by_renaming",
        ),
    ),
    "S4": (
        "XML has no DTD, no entities, no way out, at most 1 MiB and 64 levels.",
        (
            "hostile/test_promises_on_the_wire.py::test_xml_reaches_nothing_outside",
            "dav/test_properties.py::test_xml_that_asks_for_nothing_sensible_is_refused",
            "unit/dav/test_xml_bodies.py::test_xml_that_is_malformed_or_dangerous_is_400",
            "unit/dav/test_xml_bodies.py::test_64_levels_are_allowed",
        ),
    ),
    "S5": (
        "An ambiguous request is 400, and the connection is closed.",
        (
            "server/test_heads.py::test_an_ambiguous_request_is_refused_and_the_connection_closed",
            "server/test_bodies.py::test_malformed_chunks_are_an_error",
            "defects/test_http.py::test_a_length_that_can_be_read_in_two_ways_is_refused",
        ),
    ),
    "S6": (
        "Bad input is 4xx: never 500, a hang, a dropped connection or a path of the disk.",
        (
            "hostile/test_fuzzing.py::test_bytes_that_are_no_request",
            "hostile/test_fuzzing.py::test_request_lines",
            "hostile/test_fuzzing.py::test_headers",
            "hostile/test_fuzzing.py::test_if_headers",
            "hostile/test_fuzzing.py::test_ranges",
            "hostile/test_fuzzing.py::test_destinations",
            "hostile/test_fuzzing.py::test_xml",
            "hostile/test_fuzzing.py::test_names",
            "hostile/test_fuzzing.py::test_chunks",
            "dav/test_edge.py::test_bad_input_is_never_a_500",
            "defects/test_names.py::test_a_name_is_one_file_on_every_system",
        ),
    ),
    "S7": (
        "Guessing is slow and gains nothing; nobody is locked out by it.",
        (
            "hostile/test_guessing.py::test_an_address_has_ten_wrong_tries_a_minute",
            "hostile/test_guessing.py::test_an_address_that_is_used_up_cannot_guess_right",
            "hostile/test_guessing.py::test_an_invented_address_neither_helps_nor_hurts",
            "hostile/test_hiding.py"
            "::test_an_account_that_is_not_there_is_answered_like_a_wrong_password",
            "hostile/test_hiding.py"
            "::test_an_account_that_is_not_there_costs_the_time_of_one_that_is",
            "contract/test_accounts.py::test_guessing_locks_nobody_out",
            "contract/test_accounts.py::test_guessing_from_many_addresses_is_slowed_down",
            "contract/test_accounts.py::test_an_ipv6_neighbourhood_is_one_address",
            "defects/test_signing_in.py::test_a_captured_sign_in_cannot_be_sent_again",
        ),
    ),
    "S8": (
        "Slow or greedy clients stop nobody; one request costs at most 64 MiB.",
        (
            "hostile/test_crowd.py::test_idle_slow_and_trickling_clients_stop_nobody",
            "hostile/test_memory.py::test_a_hostile_request_costs_a_bounded_amount_of_memory",
            "hostile/test_slow_to_read.py::test_no_header_takes_long_to_read",
            "hostile/test_slow_to_read.py::test_no_xml_takes_long_to_read",
            "server/test_slow_clients.py::test_a_slow_head_is_refused_after_its_time",
            "server/test_heads.py::test_a_head_beyond_the_limit_is_refused",
            "contract/test_tree.py::test_properties_are_limited",
            "contract/test_locks.py::test_a_user_holds_a_bounded_number_of_locks",
            "dav/test_properties.py::test_depth_infinity_is_refused_with_the_condition",
        ),
    ),
    "S9": (
        "A browser runs no user's file, and no other site changes anything.",
        (
            "hostile/test_promises_on_the_wire.py::test_a_browser_runs_nothing_of_a_users",
            "hostile/test_promises_on_the_wire.py::test_another_site_changes_nothing",
            "dav/test_downloads.py::test_a_browser_saves_what_it_could_run",
            "dav/test_downloads.py::test_a_collection_is_there_for_clients_that_only_know_http",
            "server/test_answers.py::test_no_version_is_shown",
            "hostile/test_promises_on_the_wire.py"
            "::test_what_is_no_request_is_answered_as_safely_and_logged",
        ),
    ),
    "S10": (
        "Nobody is invited to send what will be refused.",
        (
            "hostile/test_promises_on_the_wire.py"
            "::test_nobody_is_invited_to_upload_what_will_be_refused",
            "defects/test_http.py::test_nobody_is_invited_to_upload_before_signing_in",
            "dav/test_uploads.py::test_a_refused_upload_is_not_read",
        ),
    ),
    "S11": (
        "The log holds no passwords, no forged lines and no control characters.",
        (
            "hostile/test_promises_on_the_wire.py"
            "::test_the_log_holds_neither_passwords_nor_forged_lines",
            "dav/test_edge.py::test_nobody_forges_a_line_of_the_log",
            "unit/dav/test_escaping.py::test_nobody_forges_a_log_line",
            "hostile/test_promises_on_the_wire.py"
            "::test_what_is_no_request_is_answered_as_safely_and_logged",
        ),
    ),
    "S12": (
        "A sign-in that may only read writes by no method.",
        ("hostile/test_reading_only.py::test_a_reader_writes_by_no_method",),
    ),
    "S13": (
        "SECURITY.md says what counts, what does not, and how to report in private.",
        ("hostile/test_every_promise.py::test_security_md_says_what_counts_and_how_to_report",),
    ),
}
