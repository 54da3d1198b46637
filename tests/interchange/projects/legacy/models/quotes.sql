select * from {{ ref('raw_quotes') }}
