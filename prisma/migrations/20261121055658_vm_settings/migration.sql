-- Columns that have a default are added in place: no row is copied.
ALTER TABLE "vm" ADD COLUMN "delete_protected" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "vm" ADD COLUMN "previous_spec" TEXT;
