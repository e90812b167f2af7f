-- A role for the service that owns nothing: it reads and writes rows, and can change neither the schema
-- nor what the audit log has. Run it by the owner of the database (who runs `clientele migrate`), once
-- the schema is there, and again after a change of it; then give the role a password, and the service
-- CLIENTELE_MIGRATE=false.
--
--   psql "$OWNER_DATABASE_URL" -v ON_ERROR_STOP=1 -1 -f deploy/service-role.sql

do $$
begin
    if not exists (select from pg_roles where rolname = 'clientele_service') then
        create role clientele_service login;
    end if;
end
$$;

revoke create on schema public from public;
grant usage on schema public to clientele_service;
grant select, insert, update, delete on all tables in schema public to clientele_service;
revoke insert, update, delete on refinery_schema_history from clientele_service;
revoke update, delete on audit_log from clientele_service;

-- For the tables of later migrations.
alter default privileges in schema public
    grant select, insert, update, delete on tables to clientele_service;
