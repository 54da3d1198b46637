select * from {{ ref('raw_jobs') }}
