-- AlterTable
ALTER TABLE "image" ADD COLUMN "graphical" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "vm" ADD COLUMN "observed_display" BOOLEAN NOT NULL DEFAULT false;
