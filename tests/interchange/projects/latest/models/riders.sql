select * from {{ ref('raw_riders') }}
