"""More functions of HogQL, a line for each: what it takes and gives, what it is in DuckDB.

Signatures read as in ``expressions_functions``; besides, ``value`` is taken as it is,
``[text]`` is an array of texts, ``list1`` gives an array of the first argument's kind and
``item1`` an element of the first argument. A template that begins with ``!`` is the name of
a function that takes the arguments as they come.
"""

LONGEST_TEXT = 10_000
TOO_LONG = "ERROR('repeat and pads make at most ten thousand characters.')"
SHORT = f"CASE WHEN b > {LONGEST_TEXT} THEN {TOO_LONG} ELSE b END"
FEW = f"CASE WHEN LENGTH(a) * b > {LONGEST_TEXT} THEN {TOO_LONG} ELSE b END"
MOST_PAIRS = 1000
TOO_MANY = "ERROR('That is too long to be compared with each other: at most a thousand.')"
PATTERNS = frozenset(
    {
        "match",
        "extract",
        "extractAll",
        "replaceRegexpOne",
        "replaceRegexpAll",
        "splitByRegexp",
    }
)
"""Functions whose regular expression must be a constant."""

DATES = {
    "toStartOfSecond": ("time -> time", "DATE_TRUNC('second', a)"),
    "toStartOfTenMinutes": ("time -> time", "TIME_BUCKET(INTERVAL '10 minutes', a)"),
    "toLastDayOfMonth": ("time -> date", "LAST_DAY(a)"),
    "toStartOfISOYear": ("time -> date", "CAST(DATE_TRUNC('isoyear', a) AS DATE)"),
    "toISOYear": ("time -> number", "!isoyear"),
    "toYYYYMMDDhhmmss": (
        "time -> number",
        "CAST(STRFTIME(CAST(a AS TIMESTAMP), '%Y%m%d%H%M%S') AS BIGINT)",
    ),
    "toUnixTimestamp64Milli": ("instant -> number", "!epoch_ms"),
    "fromUnixTimestamp": (
        "number -> instant",
        "MAKE_TIMESTAMP(TRY_CAST(a * 1000000 AS BIGINT))",
    ),
    "fromUnixTimestamp64Milli": (
        "number -> instant",
        "MAKE_TIMESTAMP(TRY_CAST(a * 1000 AS BIGINT))",
    ),
    "parseDateTimeBestEffort": ("instant -> instant", "a"),
    "parseDateTimeBestEffortOrNull": ("instant -> instant", "a"),
    "toTime": ("time -> text", "STRFTIME(CAST(a AS TIMESTAMP), '%H:%M:%S')"),
    "monthName": ("time -> text", "!monthname"),
    "dayName": ("time -> text", "!dayname"),
}
CHOICE = {
    "isZeroOrNull": ("number -> bool", "COALESCE(a, 0) = 0"),
    "and": ("bool bool * -> bool", "AND"),
    "or": ("bool bool * -> bool", "OR"),
    "xor": ("bool bool -> bool", "a <> b"),
    "equals": ("value value -> bool", "a IS NOT DISTINCT FROM b"),
    "notEquals": ("value value -> bool", "a IS DISTINCT FROM b"),
}
TEXT = {
    "notLike": ("text text -> bool", "NOT a LIKE b"),
    "notILike": ("text text -> bool", "NOT a ILIKE b"),
    "lengthUTF8": ("text -> number", "LENGTH(a)"),
    "lowerUTF8": ("text -> text", "LOWER(a)"),
    "upperUTF8": ("text -> text", "UPPER(a)"),
    "initcap": (
        "text -> text",
        (
            "ARRAY_TO_STRING(LIST_TRANSFORM(STRING_SPLIT(a, ' '),"
            " LAMBDA w: UPPER(LEFT(w, 1)) || LOWER(SUBSTRING(w, 2))), ' ')"
        ),
    ),
    "replaceOne": (
        "text text text -> text",
        (
            "CASE WHEN b = '' OR STRPOS(a, b) = 0 THEN a ELSE CONCAT(LEFT(a, STRPOS(a, b) - 1),"
            " c, SUBSTRING(a, STRPOS(a, b) + LENGTH(b))) END"
        ),
    ),
    "trimLeft": ("text -> text", "LTRIM(a)"),
    "trimRight": ("text -> text", "RTRIM(a)"),
    "leftPad": (
        "text number text? -> text",
        f"LPAD(a, TRY_CAST({SHORT} AS INTEGER), ' ')",
    ),
    "rightPad": (
        "text number text? -> text",
        f"RPAD(a, TRY_CAST({SHORT} AS INTEGER), ' ')",
    ),
    "repeat": (
        "text number -> text",
        f"REPEAT(a, TRY_CAST({FEW} AS INTEGER))",
    ),
    "positionCaseInsensitive": ("text text -> number", "STRPOS(LOWER(a), LOWER(b))"),
    "countSubstrings": (
        "text text -> number",
        "CASE WHEN b = '' THEN 0 ELSE (LENGTH(a) - LENGTH(REPLACE(a, b, ''))) // LENGTH(b) END",
    ),
    "extractAll": ("text text -> [text]", "REGEXP_EXTRACT_ALL(a, b)"),
    "splitByChar": ("text text -> [text]", "STRING_SPLIT(b, a)"),
    "splitByString": ("text text -> [text]", "STRING_SPLIT(b, a)"),
    "splitByRegexp": ("text text -> [text]", "STRING_SPLIT_REGEX(b, a)"),
    "arrayStringConcat": ("[any] text? -> text", "ARRAY_TO_STRING(a, '')"),
    "concatWithSeparator": ("text text * -> text", "!concat_ws"),
    "ascii": ("text -> number", "!ascii"),
    "char": ("number -> text", "CHR(TRY_CAST(a AS INTEGER))"),
    "hex": ("text -> text", "!hex"),
    "MD5": ("text -> text", "!md5"),
    "SHA256": ("text -> text", "!sha256"),
    "base64Encode": ("text -> text", "TO_BASE64(ENCODE(a))"),
    "levenshteinDistance": (
        "text text -> number",
        (
            f"CASE WHEN LENGTH(a) > {MOST_PAIRS} OR LENGTH(b) > {MOST_PAIRS} THEN {TOO_MANY}"
            " ELSE LEVENSHTEIN(a, b) END"
        ),
    ),
    "multiSearchAnyCaseInsensitive": (
        "text [text] -> bool",
        "COALESCE(LIST_BOOL_OR(LIST_TRANSFORM(b, LAMBDA w: CONTAINS(LOWER(a), LOWER(w)))), FALSE)",
    ),
}
WEB = {
    "protocol": ("text -> text", "REGEXP_EXTRACT(a, '^([A-Za-z][A-Za-z0-9+.-]*):', 1)"),
    "domain": (
        "text -> text",
        "REGEXP_EXTRACT(a, '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?([^/?#:]+)', 1)",
    ),
    "domainWithoutWWW": (
        "text -> text",
        (
            "REGEXP_EXTRACT(a,"
            " '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?(?:www\\.)?([^/?#:]+)', 1)"
        ),
    ),
    "topLevelDomain": (
        "text -> text",
        (
            "REGEXP_EXTRACT(a,"
            " '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?[^/?#:]*\\.([^/?#:.]+)', 1)"
        ),
    ),
    "path": (
        "text -> text",
        "REGEXP_EXTRACT(a, '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*([^?#]*)', 1)",
    ),
    "pathFull": (
        "text -> text",
        "REGEXP_EXTRACT(a, '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*(.*)', 1)",
    ),
    "queryString": ("text -> text", "REGEXP_EXTRACT(a, '\\?([^#]*)', 1)"),
    "fragment": ("text -> text", "REGEXP_EXTRACT(a, '#(.*)', 1)"),
    "cutQueryString": ("text -> text", "REGEXP_REPLACE(a, '\\?[^#]*', '')"),
    "cutFragment": ("text -> text", "REGEXP_REPLACE(a, '#.*', '')"),
    "cutQueryStringAndFragment": ("text -> text", "REGEXP_REPLACE(a, '[?#].*', '')"),
    "cutWWW": ("text -> text", "REGEXP_REPLACE(a, '//www\\.', '//')"),
    "extractURLParameter": (
        "text text -> text",
        (
            "COALESCE(LIST_TRANSFORM(LIST_FILTER(STRING_SPLIT(REGEXP_EXTRACT(a, '\\?([^#]*)', 1),"
            " '&'), LAMBDA w: STARTS_WITH(w, b || '=')), LAMBDA w: SUBSTRING(w, LENGTH(b) + 2))[1],"
            " '')"
        ),
    ),
    "cutURLParameter": (
        "text text -> text",
        (
            "CONCAT(REGEXP_EXTRACT(a, '^[^?]*'), CASE WHEN STRPOS(a, '?') = 0 THEN '' ELSE"
            " CONCAT('?', ARRAY_TO_STRING(LIST_FILTER(STRING_SPLIT(REGEXP_EXTRACT(a, '\\?(.*)', 1),"
            " '&'), LAMBDA w: NOT STARTS_WITH(w, b || '=')), '&')) END)"
        ),
    ),
    "decodeURLComponent": ("text -> text", "TRY(URL_DECODE(a))"),
    "encodeURLComponent": ("text -> text", "!url_encode"),
}
CONVERSION = {
    "toUUID": ("text -> text", "CAST(TRY_CAST(a AS UUID) AS TEXT)"),
    "toDecimal": ("number number? -> number", "TRY_CAST(a AS DOUBLE)"),
    "toIntOrZero": ("number -> number", "COALESCE(TRY_CAST(TRUNC(a) AS BIGINT), 0)"),
    "toFloatOrZero": ("number -> number", "COALESCE(a, 0)"),
    "toDateOrNull": ("time -> date", "CAST(a AS DATE)"),
    "toDateTimeOrNull": ("instant -> instant", "a"),
    "toJSONString": ("value -> text", "CAST(TO_JSON(a) AS TEXT)"),
    "isFinite": ("number -> bool", "!isfinite"),
    "isNaN": ("number -> bool", "!isnan"),
}
NUMBERS = {
    "plus": ("number number -> number", "a + b"),
    "minus": ("number number -> number", "a - b"),
    "multiply": ("number number -> number", "a * b"),
    "divide": ("number number -> number", "a / NULLIF(b, 0)"),
    "negate": ("number -> number", "-a"),
    "trunc": ("number -> number", "TRUNC(a)"),
    "intDivOrZero": (
        "number number -> number",
        "CASE WHEN b = 0 THEN 0 ELSE TRY_CAST(TRUNC(a / b) AS BIGINT) END",
    ),
    "positiveModulo": (
        "number number -> number",
        "((a % NULLIF(b, 0)) + ABS(b)) % NULLIF(ABS(b), 0)",
    ),
    "cbrt": ("number -> number", "!cbrt"),
    "exp2": ("number -> number", "POW(2, a)"),
    "exp10": ("number -> number", "POW(10, a)"),
    "sin": ("number -> number", "!sin"),
    "cos": ("number -> number", "!cos"),
    "tan": ("number -> number", "!tan"),
    "pi": ("-> number", "PI()"),
    "gcd": ("number number -> number", "GCD(TRY_CAST(a AS BIGINT), TRY_CAST(b AS BIGINT))"),
    "lcm": ("number number -> number", "LCM(TRY_CAST(a AS BIGINT), TRY_CAST(b AS BIGINT))"),
    "bitAnd": ("number number -> number", "TRY_CAST(a AS BIGINT) & TRY_CAST(b AS BIGINT)"),
    "bitOr": ("number number -> number", "TRY_CAST(a AS BIGINT) | TRY_CAST(b AS BIGINT)"),
}
ARRAYS = {
    "arrayConcat": ("[any] [any] * -> like1", "!list_concat"),
    "arrayDistinct": ("[any] -> like1", "!list_distinct"),
    "arrayUniq": ("[any] -> number", "!list_unique"),
    "arrayReverse": ("[any] -> like1", "!list_reverse"),
    "arrayFlatten": ("[any] -> item1", "!flatten"),
    "arrayCompact": ("[any] -> like1", "LIST_FILTER(a, LAMBDA w: w IS NOT NULL)"),
    "arrayEnumerate": ("[any] -> [number]", "RANGE(1, LEN(a) + 1)"),
    "arrayElement": ("[any] number -> item1", "LIST_EXTRACT(a, TRY_CAST(b AS BIGINT))"),
    "arraySlice": (
        "[any] number number? -> like1",
        "LIST_SLICE(a, TRY_CAST(b AS BIGINT), LEN(a))",
    ),
    "arrayPushBack": ("[any] value -> like1", "!list_append"),
    "arrayPushFront": ("[any] value -> like1", "LIST_PREPEND(b, a)"),
    "arrayPopBack": ("[any] -> like1", "LIST_SLICE(a, 1, LEN(a) - 1)"),
    "arrayPopFront": ("[any] -> like1", "LIST_SLICE(a, 2, LEN(a))"),
    "arrayZip": ("[any] [any] * -> [tuple]", "!list_zip"),
    "arrayIntersect": ("[any] [any] -> like1", "!list_intersect"),
    "arrayCumSum": (
        "[number] -> [number]",
        (
            f"CASE WHEN LEN(a) > {MOST_PAIRS} THEN {TOO_MANY} ELSE"
            " LIST_TRANSFORM(a, LAMBDA w, i: LIST_SUM(LIST_SLICE(a, 1, i))) END"
        ),
    ),
    "arrayProduct": ("[number] -> number", "LIST_PRODUCT(a)"),
    "has": ("[any] value -> bool", "COALESCE(LIST_CONTAINS(a, b), FALSE)"),
    "hasAny": ("[any] [any] -> bool", "COALESCE(LIST_HAS_ANY(a, b), FALSE)"),
    "hasAll": ("[any] [any] -> bool", "COALESCE(LIST_HAS_ALL(a, b), FALSE)"),
    "indexOf": ("[any] value -> number", "COALESCE(LIST_POSITION(a, b), 0)"),
    "countEqual": ("[any] value -> number", "LEN(LIST_FILTER(a, LAMBDA w: w = b))"),
}
FUNCTIONS = DATES | CHOICE | TEXT | WEB | CONVERSION | NUMBERS | ARRAYS
"""Functions of one row."""

LONGER = {
    "substring": "SUBSTRING(a, TRY_CAST(b AS BIGINT), TRY_CAST(c AS BIGINT))",
    "leftPad": f"LPAD(a, TRY_CAST({SHORT} AS INTEGER), c)",
    "rightPad": f"RPAD(a, TRY_CAST({SHORT} AS INTEGER), c)",
    "arrayStringConcat": "ARRAY_TO_STRING(a, b)",
    "arraySlice": "LIST_SLICE(a, TRY_CAST(b AS BIGINT), TRY_CAST(b + c - 1 AS BIGINT))",
    "toDecimal": "ROUND(a, TRY_CAST(b AS INTEGER))",
}
"""The same with their optional argument."""

AGGREGATES = {
    "anyLast": ("any -> like1", "LAST(a)"),
    "argMin": ("value value -> like1", "ARG_MIN(a, b)"),
    "argMax": ("value value -> like1", "ARG_MAX(a, b)"),
    "groupArray": ("value -> list1", "COALESCE(LIST(a) FILTER(WHERE NOT a IS NULL), [])"),
    "groupUniqArray": (
        "value -> list1",
        "COALESCE(LIST(DISTINCT a) FILTER(WHERE NOT a IS NULL), [])",
    ),
    "corr": ("number number -> number", "CORR(a, b)"),
    "covarPop": ("number number -> number", "COVAR_POP(a, b)"),
    "covarSamp": ("number number -> number", "COVAR_SAMP(a, b)"),
    "skewPop": ("number -> number", "SKEWNESS(a)"),
    "kurtSamp": ("number -> number", "KURTOSIS(a)"),
    "entropy": ("value -> number", "ENTROPY(a)"),
    "groupConcat": ("text text? -> text", "STRING_AGG(a, '')"),
    "sumDistinct": ("number -> number", "SUM(DISTINCT a)"),
    "avgDistinct": ("number -> number", "AVG(DISTINCT a)"),
    "groupBitAnd": ("number -> number", "BIT_AND(TRY_CAST(a AS BIGINT))"),
    "groupBitOr": ("number -> number", "BIT_OR(TRY_CAST(a AS BIGINT))"),
}
"""Functions of many rows; each has a form ``…If`` whose last argument is a condition."""

LATER = frozenset(
    {"windowFunnel", "sequenceMatch", "sequenceCount", "retention", "sequenceNextNode"}
)
"""Functions of PostHog's that are not here yet."""

SYNONYMS = {
    "toInt8": "toInt",
    "toInt16": "toInt",
    "toInt32": "toInt",
    "toInt64": "toInt",
    "toUInt8": "toInt",
    "toUInt16": "toInt",
    "toUInt32": "toInt",
    "toUInt64": "toInt",
    "toFloat32": "toFloat",
    "toFloat64": "toFloat",
    "toFloatOrNull": "toFloat",
    "toFloat32OrNull": "toFloat",
    "toFloat64OrNull": "toFloat",
    "toFloat32OrZero": "toFloatOrZero",
    "toFloat64OrZero": "toFloatOrZero",
    "toInt32OrNull": "toInt",
    "toInt64OrNull": "toInt",
    "toInt32OrZero": "toIntOrZero",
    "toInt64OrZero": "toIntOrZero",
    "toUInt64OrZero": "toIntOrZero",
    "toIntOrNull": "toInt",
    "substr": "substring",
    "mid": "substring",
    "lcase": "lower",
    "ucase": "upper",
    "ceiling": "ceil",
    "power": "pow",
    "ln": "log",
    "toDayOfWeekISO": "toDayOfWeek",
    "uniqHLL12": "uniq",
    "uniqCombined": "uniq",
    "varianceSamp": "varSamp",
    "any_value": "any",
    "anyHeavy": "any",
    "toDateOrZero": "toDateOrNull",
    "parseDateTime64BestEffort": "parseDateTimeBestEffort",
    "parseDateTime64BestEffortOrNull": "parseDateTimeBestEffortOrNull",
    "parseDateTimeBestEffortOrZero": "parseDateTimeBestEffortOrNull",
    "toDateTime64": "toDateTime",
    "strpos": "position",
    "regexpReplaceAll": "replaceRegexpAll",
    "replace": "replaceAll",
    "lpad": "leftPad",
    "rpad": "rightPad",
    "ltrim": "trimLeft",
    "rtrim": "trimRight",
    "concat_ws": "concatWithSeparator",
    "toDecimal32": "toDecimal",
    "toDecimal64": "toDecimal",
    "truncate": "trunc",
}
"""Other names, PostHog's and ClickHouse's, of the same functions."""
