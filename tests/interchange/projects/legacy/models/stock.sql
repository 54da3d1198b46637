select * from {{ ref('raw_stock') }}
