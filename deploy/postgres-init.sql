-- Runs once, when the image creates a new database folder: a user for Foyer that owns one database only.
-- The superuser loses its password, so it can be used only from inside the container (psql -U postgres).
\getenv password POSTGRES_PASSWORD
CREATE ROLE foyer LOGIN PASSWORD :'password';
CREATE DATABASE foyer OWNER foyer;
ALTER ROLE postgres PASSWORD NULL;
