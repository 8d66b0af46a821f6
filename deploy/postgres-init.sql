-- Runs once, when the image makes a new database folder: a user for Foyer who owns one database and may do nothing else.
-- The superuser loses its password, so that it can be used from within the container alone (psql -U postgres).
\getenv password POSTGRES_PASSWORD
CREATE ROLE foyer LOGIN PASSWORD :'password';
CREATE DATABASE foyer OWNER foyer;
ALTER ROLE postgres PASSWORD NULL;
