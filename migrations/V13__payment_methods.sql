-- Saved payment methods: what a payment provider calls them, and what people know them by. Never a
-- card number. The reference to customers keeps their writers out for a moment, as it has no rows to
-- look at.

create table payment_methods (
    company_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    -- Whose token it is, and the token.
    provider text not null,
    token text not null,
    brand text,
    last4 text check (last4 ~ '^[0-9]{4}$'),
    exp_month smallint check (exp_month between 1 and 12),
    exp_year smallint check (exp_year between 2000 and 2100),
    created_at timestamptz not null default clock_timestamp(),
    primary key (company_id, id),
    -- Its index also finds those of one customer.
    unique (company_id, customer_id, provider, token),
    foreign key (company_id, customer_id) references customers (company_id, id) on delete cascade
);
