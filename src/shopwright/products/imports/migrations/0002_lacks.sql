-- What a file as a whole lacks, counted with each batch and told once.

ALTER TABLE import_jobs
    ADD COLUMN unstocked  bigint NOT NULL DEFAULT 0,
    ADD COLUMN untracked  bigint NOT NULL DEFAULT 0,
    ADD COLUMN unpriced   bigint NOT NULL DEFAULT 0,
    ADD COLUMN currencies text[] NOT NULL DEFAULT '{}';
