-- case: ref, source and this
-- dialect: snowflake
{{ config(materialized='incremental') }}
SELECT a.x, b.y FROM {{ ref('first') }} AS a JOIN {{ source('raw', 'second') }} AS b ON a.i = b.i
{% if is_incremental() %} WHERE a.t > (SELECT max(t) FROM {{ this }}) {% endif %}
-- > tables FIRST, RAW.SECOND ->
-- > X <- FIRST.X
-- > Y <- RAW.SECOND.Y

-- case: loops over lists
{% set kinds = ["card", "cash"] %}
SELECT id, {% for k in kinds %} sum(CASE WHEN kind = '{{ k }}' THEN amount END) AS {{ k }}_sum {%- if not loop.last %}, {% endif -%} {% endfor %}
FROM {{ ref("payments") }} GROUP BY id
-- > id <- payments.id
-- > card_sum <- payments.kind:CONDITIONAL, payments.amount:AGGREGATION
-- > cash_sum <- payments.kind:CONDITIONAL, payments.amount:AGGREGATION

-- case: an unknown macro takes nothing with it
SELECT {{ money('amount') }} AS m, b FROM {{ ref('t') }}
-- > tables t ->
-- > m <-
-- > b <- t.b
-- > problem unknown-macro

-- case: macros of the packages
SELECT {{ dbt_utils.generate_surrogate_key(['a', 'b']) }} AS k FROM {{ ref('t') }}
-- > k <- t.a, t.b

-- case: variables and comments
SELECT a FROM {{ var('schema', 'raw') }}.t {# not {{ ref('u') }} #} WHERE b > '{{ var("low") }}'
-- > tables raw.t ->

-- case: macros are not read
{% macro m() %} SELECT z FROM zz {% endmacro %}
SELECT a FROM t
-- > tables t ->
