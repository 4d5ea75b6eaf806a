"""What is known of functions: which hide a value, which aggregate, which take parts of dates."""

# Functions whose result hides the value: the list of OpenLineage's Spark and Hive integrations.
MASKING = frozenset(
    {
        "md5", "md5digest", "md5numberlower64", "md5numberupper64", "sha", "sha1", "sha2",
        "sha1digest", "sha2digest", "sha256", "sha512", "crc32", "xxhash64", "xxhash32",
        "murmur3hash", "murmurhash3", "hash", "hivehash", "hive_hash", "cityhash64",
        "farm_fingerprint", "farmfingerprint", "fingerprint", "standardhash", "standard_hash",
        "hashbytes", "mask", "mask_first_n", "mask_last_n", "mask_hash", "mask_show_first_n",
        "mask_show_last_n", "hmac", "tokenize", "encrypt", "encryptraw", "aes_encrypt", "count",
        "approxdistinct", "countif", "md5_binary", "sha1_binary", "sha2_binary", "sha224",
        "sha384", "xxhash", "digest",
    }
)  # fmt: skip
# sqlglot calls these aggregates; over a window they hand on a value of one row.
OF_ONE_ROW = frozenset(
    {
        "lag", "lead", "firstvalue", "lastvalue", "nthvalue", "rank", "denserank", "rownumber",
        "percentrank", "cumedist", "ntile", "first", "last", "grouping", "groupingid",
    }
)  # fmt: skip
AGGREGATES = frozenset(
    {
        "collect_list", "collect_set", "listagg", "string_agg", "group_concat", "wm_concat",
        "every", "bool_and", "bool_or", "any_value", "median", "mode", "hll_union_agg", "checksum",
        "approx_count_distinct", "histogram", "map_agg", "multimap_agg", "object_agg", "xmlagg",
        "countif", "sumif", "avgif", "uniq", "uniqexact", "argmax", "argmin", "grouparray", "anylast",
        "first_value_agg", "bit_and", "bit_or", "bit_xor", "regr_slope", "corr", "percentile",
        "percentile_approx", "array_concat_agg", "json_agg", "jsonb_agg", "count_big", "count_if",
    }
)  # fmt: skip
DICTIONARIES = ("dictget", "joinget")
IF_NAMES = frozenset({"if", "iff", "iif"})
DATE_PARTS = frozenset(
    {
        "year", "yy", "yyyy", "quarter", "qq", "q", "month", "mm", "m", "week", "wk", "ww",
        "isoweek", "weekday", "dow", "doy", "day", "dd", "d", "hour", "hh", "hours", "minute",
        "mi", "n", "second", "ss", "s", "millisecond", "ms", "microsecond", "mcs", "nanosecond",
        "ns", "epoch", "days", "months", "years", "weeks", "minutes", "seconds",
    }
)  # fmt: skip
PART_TAKERS = ("date", "time", "extract", "trunc", "last_day", "next_day", "diff")
PSEUDO = frozenset({"rownum", "level", "sysdate", "systimestamp", "rowid", "user"})  # Oracle
